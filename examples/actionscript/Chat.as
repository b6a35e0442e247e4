// A client of the chat: calls in both directions, and a stream of data that it publishes and plays.
package {
  import flash.display.Sprite;
  import flash.events.NetStatusEvent;
  import flash.net.NetConnection;
  import flash.net.NetStream;
  import flash.net.Responder;

  public class Chat extends Sprite {
    private const connection:NetConnection = new NetConnection();
    private var userName:String;
    // Keeps references, without which streams end.
    private var published:NetStream;
    private var played:NetStream;

    public function Chat() {
      const vars:Object = loaderInfo.parameters;
      userName = vars.name || "Anna";
      // The script calls these by client.writer:writeAMFMessage
      connection.client = {
        onSaid: function(who:String, text:String):void { trace(who + ": " + text); },
        onJoined: function(who:String):void { trace(who + " is here"); },
        onLeft: function(who:String):void { trace(who + " has left"); },
        onWhispered: function(who:String, text:String):void { trace(who + " whispers: " + text); },
        close: function():void { trace("refused"); }
      };
      connection.addEventListener(NetStatusEvent.NET_STATUS, onStatus);
      connection.connect((vars.server || "rtmfp://localhost") + "/chat", userName); // onConnection(client, name)
    }

    private function onStatus(event:NetStatusEvent):void {
      trace(event.info.code, event.info.description);
      if (event.info.code != "NetConnection.Connect.Success") return;
      // function client:say(text) in the script; its result is the answer
      connection.call("say", new Responder(
        function(heard:int):void { trace("heard by", heard); },
        function(status:Object):void { trace("failed:", status.description); }
      ), "Hello!");
      play();
    }

    private function play():void {
      played = new NetStream(connection);
      played.client = { onNote: function(text:String):void { trace("played:", text); } };
      played.addEventListener(NetStatusEvent.NET_STATUS, function(event:NetStatusEvent):void {
        if (event.info.code == "NetStream.Play.Start") publish();
      });
      played.play("note of " + userName);
    }

    private function publish():void {
      published = new NetStream(connection);
      published.addEventListener(NetStatusEvent.NET_STATUS, function(event:NetStatusEvent):void {
        if (event.info.code == "NetStream.Publish.Start") published.send("onNote", "three blind mice");
      });
      published.publish("note of " + userName);
    }
  }
}
